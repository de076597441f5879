import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.sts.StsClient;

/** Asks STS by the SDK for Java who I am. */
public class Who {
    public static void main(String[] arguments) throws Exception {
        boolean each = arguments.length > 0 && arguments[0].equals("lines");
        Reader lines = each ? new InputStreamReader(System.in) : new StringReader("\n");
        try (StsClient sts = StsClient.builder().httpClientBuilder(UrlConnectionHttpClient.builder()).build();
                BufferedReader reader = new BufferedReader(lines)) {
            while (reader.readLine() != null) {
                System.out.println("{\"arn\":\"" + sts.getCallerIdentity().arn() + "\"}");
            }
        }
    }
}
